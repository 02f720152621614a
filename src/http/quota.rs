//! "No room", in whatever words a service has for it: that passes when a replica goes, and is no reason to wait long.

/// That something is used up, in lower case.
const USED_UP: [&str; 6] =
    ["exceed", "reached", "exhausted", "insufficient", "not enough", "used up"];

/// The same, where it is a quota that is spoken of.
const QUOTA_USED_UP: [&str; 5] = ["over", "full", "no more", " hit", "no quota"];

/// The same of a limit.
const OVER_LIMIT: [&str; 5] =
    ["over limit", "over a limit", "over the limit", "overlimit", "limit hit"];

/// What has a limit of its own that no room would help: one request, one value, or what is asked for in a time.
const OTHERS: [&str; 8] =
    ["policy", "rate", "too many requests", "size", "length", "body", "characters", "attempts"];

/// Whether a refusal in these words means that a quota is used up.
pub fn is_quota(said: &str) -> bool {
    let said = said.to_lowercase();
    let has = |word: &str| said.contains(word);
    let used_up = USED_UP.iter().any(|word| has(word));
    let quota_used_up = used_up || QUOTA_USED_UP.iter().any(|word| has(word));
    if has("quota") && quota_used_up && !has("policy doesn't allow") {
        return true;
    }
    // Nova of Neutron's ports and addresses; Cinder of volumes.
    let most = has("maximum number of") && used_up && !has("metadata");
    let limit = (has("limit") && used_up) || OVER_LIMIT.iter().any(|words| has(words));
    (most || limit) && !OTHERS.iter().any(|other| has(other))
}

/// Whether it means that too much was asked in too short a time.
pub fn is_rate_limit(said: &str) -> bool {
    let said = said.to_lowercase();
    ["rate limit", "rate-limit", "ratelimit", "too many requests"]
        .iter()
        .any(|words| said.contains(words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_room_is_told_in_many_words() {
        for said in [
            // Nova's own quota.
            "Quota exceeded for instances: Requested 1, but already used 4 of 4 instances",
            "Quota exceeded for cores, ram: Requested 4, 8192, but already used 20, 51200 of 20, 51200 cores, ram",
            "Quota exceeded, too many servers in group",
            // Nova of Neutron's.
            "Maximum number of ports exceeded",
            "Maximum number of fixed IPs exceeded",
            // oslo.limit, for Nova's and Glance's unified limits.
            "Project b6ed08b773bb4f91ae28a398e2741ebe is over a limit for [Resource servers is over limit of 10 due to \
             current usage 10 and delta 1]",
            "Project b6ed08b773bb4f91ae28a398e2741ebe is over a limit for [servers, class:VCPU]",
            // Neutron.
            "Quota exceeded for resources: ['port'].",
            // Cinder, for servers that boot from a volume.
            "Maximum number of volumes allowed (10) exceeded for quota 'volumes'.",
            "VolumeSizeExceedsAvailableQuota: Requested volume or snapshot exceeds allowed gigabytes quota. Requested 20G, \
             quota is 1000G and 990G has been consumed.",
            // Resellers, old and new.
            "OverLimit: This request exceeds quota",
            "Your project's instance limit has been reached",
            "Insufficient quota for flavor d2-8",
            "The quota of your project is exhausted",
            "No quota left for cores in project demo",
            "Instance quota hit",
            "Project demo is over limit for servers",
            "You have exceeded your instance limit",
            "This would exceed the RAM limit of the project",
            "RAM limits exceeded",
            "Limit of 10 servers reached",
            "Maximum number of instances reached (10)",
        ] {
            assert!(is_quota(said), "{said}");
        }
    }

    #[test]
    fn what_no_room_would_help_is_no_quota() {
        for said in [
            "Policy doesn't allow os_compute_api:servers:create to be performed.",
            "Policy doesn't allow os_compute_api:os-quota-sets:update to be performed over quota.",
            "You are not authorized to perform the requested action: identity:list_limits.",
            "Flavor's disk is too small for requested image. Flavor disk is 1 bytes, image is 2 bytes.",
            "Maximum number of metadata items exceeds 128",
            "Maximum request body size exceeded",
            "Request Entity Too Large: size limit exceeded",
            "Rate limit exceeded",
            "This request was rate-limited.",
            "The request exceeds the time limit for its rate",
            "The name exceeds the limit of 255 characters",
            "Maximum login attempts exceeded",
            "Access was denied to this resource.",
            "The server could not comply with the request since it is either malformed or otherwise incorrect.",
            "",
        ] {
            assert!(!is_quota(said), "{said}");
        }
        assert!(
            is_rate_limit("API Rate Limit exceeded")
                && is_rate_limit("This request was rate-limited.")
        );
        assert!(!is_rate_limit("Quota exceeded for instances"));
    }
}
