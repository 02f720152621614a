//! Who we are: passwords, application credentials, projects, domains, and where secrets come from.

use super::{FILES, cloud, load};
use crate::settings::{ApplicationCredential, Credentials, Domain, Project, User};

fn faults(settings: &[(&str, &str)]) -> Vec<String> {
    load(settings, false).err().unwrap_or_default()
}

/// The credentials in one line, secrets and all: this is the one place that may.
#[track_caller]
fn check(settings: &[(&str, &str)], expected: &str) {
    let config = load(settings, false).unwrap_or_else(|faults| panic!("{settings:?}: {faults:#?}"));
    let domain = |domain: &Domain| match domain {
        Domain::Id(id) => format!("domain id {id}"),
        Domain::Name(name) => format!("domain {name}"),
    };
    let user = |user: User| match user {
        User::Id(id) => format!("user id {id}"),
        User::Name { name, domain: of } => format!("{name} of {}", domain(&of)),
    };
    let line = match cloud(config).credentials {
        Credentials::Password { user: who, password, project } => {
            let project = match project {
                Project::Id(id) => format!("project id {id}"),
                Project::Name { name, domain: of } => format!("project {name} of {}", domain(&of)),
            };
            format!("{}, \"{}\", {project}", user(who), password.expose())
        }
        Credentials::ApplicationCredential { which, secret } => {
            let which = match which {
                ApplicationCredential::Id(id) => format!("id {id}"),
                ApplicationCredential::Name { name, user: who } => {
                    format!("{name} of {}", user(who))
                }
            };
            format!("application credential {which}, \"{}\"", secret.expose())
        }
    };
    assert_eq!(line, expected, "{settings:?}");
}

const USER: [(&str, &str); 2] = [("OS_USERNAME", "ann"), ("OS_PASSWORD", "hunter2")];
const BY_ID: [(&str, &str); 2] =
    [("OS_APPLICATION_CREDENTIAL_ID", "ac1"), ("OS_APPLICATION_CREDENTIAL_SECRET", "s3cret")];

#[test]
fn a_project_is_given_by_id_or_by_name() {
    let user = "ann of domain Default, \"hunter2\"";
    for (project, expected) in [
        (vec![("OS_PROJECT_ID", "p1")], "project id p1"),
        (vec![("OS_TENANT_ID", "p1")], "project id p1"),
        (vec![("OS_PROJECT_NAME", "demo")], "project demo of domain id default"),
        (vec![("OS_TENANT_NAME", "demo")], "project demo of domain id default"),
        (vec![("OS_PROJECT_ID", "p1"), ("OS_PROJECT_NAME", "demo")], "project id p1"),
        (
            vec![("OS_PROJECT_NAME", "demo"), ("OS_PROJECT_DOMAIN_NAME", "corp")],
            "project demo of domain corp",
        ),
        (
            vec![
                ("OS_PROJECT_NAME", "demo"),
                ("OS_PROJECT_DOMAIN_ID", "c1"),
                ("OS_PROJECT_DOMAIN_NAME", "corp"),
            ],
            "project demo of domain id c1",
        ),
    ] {
        check(&[&USER[..], &project].concat(), &format!("{user}, {expected}"));
    }
}

#[test]
fn a_default_domain_applies_only_when_neither_id_nor_name_is_set() {
    let base = [USER[0], USER[1], ("OS_PROJECT_ID", "p1")];
    for (domain, expected) in [
        (vec![], "domain Default"),
        (vec![("OS_USER_DOMAIN_NAME", "corp")], "domain corp"),
        (vec![("OS_USER_DOMAIN_ID", "c1")], "domain id c1"),
        (vec![("OS_USER_DOMAIN_ID", "c1"), ("OS_USER_DOMAIN_NAME", "corp")], "domain id c1"),
    ] {
        check(
            &[&base[..], &domain].concat(),
            &format!("ann of {expected}, \"hunter2\", project id p1"),
        );
    }
}

#[test]
fn a_user_may_be_given_by_id_which_goes_before_the_name() {
    let base = [USER[1], ("OS_PROJECT_ID", "p1"), ("OS_USER_ID", "u1")];
    check(&base, "user id u1, \"hunter2\", project id p1");
    check(&[&base[..], &USER[..1]].concat(), "user id u1, \"hunter2\", project id p1");
    let by_name = [
        ("OS_APPLICATION_CREDENTIAL_NAME", "scaler"),
        ("OS_APPLICATION_CREDENTIAL_SECRET", "s3cret"),
        ("OS_USER_ID", "u1"),
    ];
    check(&by_name, "application credential scaler of user id u1, \"s3cret\"");
}

#[test]
fn an_application_credential_needs_no_user_and_no_project() {
    check(&BY_ID, "application credential id ac1, \"s3cret\"");
    let everything =
        [&BY_ID[..], &USER, &[("OS_PROJECT_ID", "p1"), ("OS_PROJECT_NAME", "demo")]].concat();
    check(&everything, "application credential id ac1, \"s3cret\"");
}

#[test]
fn an_application_credential_by_name_needs_its_user() {
    let by_name = [
        ("OS_APPLICATION_CREDENTIAL_NAME", "scaler"),
        ("OS_APPLICATION_CREDENTIAL_SECRET", "s3cret"),
        ("OS_USERNAME", "ann"),
    ];
    check(&by_name, "application credential scaler of ann of domain Default, \"s3cret\"");
    assert_eq!(
        faults(&by_name[..2]),
        [
            "OS_USERNAME: must be set, because OS_APPLICATION_CREDENTIAL_NAME is known only together with its user; or \
             set OS_APPLICATION_CREDENTIAL_ID"
        ]
    );
}

#[test]
fn the_auth_type_decides_when_it_is_set() {
    let both = [&BY_ID[..], &USER, &[("OS_PROJECT_ID", "p1")]].concat();
    for name in ["password", "v3password", "Password"] {
        check(
            &[&both[..], &[("OS_AUTH_TYPE", name)]].concat(),
            "ann of domain Default, \"hunter2\", project id p1",
        );
    }
    for name in ["v3applicationcredential", "applicationcredential", "v3_application_credential"] {
        let settings = [&both[..], &[("OS_AUTH_TYPE", name)]].concat();
        check(&settings, "application credential id ac1, \"s3cret\"");
    }
    assert_eq!(
        faults(&[("OS_AUTH_TYPE", "v3applicationcredential")]),
        [
            "OS_APPLICATION_CREDENTIAL_ID: must be set, or OS_APPLICATION_CREDENTIAL_NAME and OS_USERNAME",
            "OS_APPLICATION_CREDENTIAL_SECRET: must be set, or OS_APPLICATION_CREDENTIAL_SECRET_FILE"
        ]
    );
}

#[test]
fn what_a_login_lacks_is_named() {
    assert_eq!(
        faults(&[]),
        [
            "OS_USERNAME: must be set (or OS_CLOUD, for the login of a clouds.yaml)",
            "OS_PASSWORD: must be set, or OS_PASSWORD_FILE",
            "OS_PROJECT_ID: must be set, or OS_PROJECT_NAME"
        ]
    );
    assert_eq!(
        faults(&BY_ID[..1]),
        ["OS_APPLICATION_CREDENTIAL_SECRET: must be set, or OS_APPLICATION_CREDENTIAL_SECRET_FILE"]
    );
}

#[test]
fn a_secret_from_a_file_loses_one_trailing_newline() {
    let base = [("OS_USERNAME", "ann"), ("OS_PROJECT_ID", "p1")];
    for (file, password) in [("/run/password", "from file"), ("/run/two-newlines", "from file\n")] {
        check(
            &[&base[..], &[("OS_PASSWORD_FILE", file)]].concat(),
            &format!("ann of domain Default, \"{password}\", project id p1"),
        );
    }
    check(
        &[BY_ID[0], ("OS_APPLICATION_CREDENTIAL_SECRET_FILE", "/run/password")],
        "application credential id ac1, \"from file\"",
    );
}

#[test]
fn a_secret_file_that_gives_none_is_refused() {
    let base = [("OS_USERNAME", "ann"), ("OS_PROJECT_ID", "p1")];
    for (file, fault) in [
        ("/run/missing", "OS_PASSWORD_FILE \"/run/missing\": cannot be read: no such file"),
        ("/run/empty", "OS_PASSWORD_FILE \"/run/empty\": the file is empty"),
    ] {
        assert_eq!(faults(&[&base[..], &[("OS_PASSWORD_FILE", file)]].concat()), [fault]);
    }
    let both = [&base[..], &[("OS_PASSWORD", "hunter2"), ("OS_PASSWORD_FILE", "/run/password")]];
    assert_eq!(
        faults(&both.concat()),
        ["OS_PASSWORD and OS_PASSWORD_FILE: both are set; set one of them"]
    );
}

#[test]
fn no_secret_is_ever_shown() {
    let secrets = [
        ("OS_PASSWORD", "hunter2"),
        ("OS_PASSWORD_FILE", "/run/password"),
        ("OS_APPLICATION_CREDENTIAL_SECRET", "s3cret"),
        ("OS_APPLICATION_CREDENTIAL_SECRET_FILE", "/run/password"),
        ("OS_AUTH_URL", "https://ann:in-url@host"),
        ("OPENSTACK_PASWORD", "misspelt"),
    ];
    for auth_type in ["password", "v3applicationcredential"] {
        let shown = faults(&[&secrets[..], &[("OS_AUTH_TYPE", auth_type)]].concat()).join("\n");
        assert!(shown.contains("both are set"), "{shown}");
        for secret in ["hunter2", "s3cret", "in-url", "misspelt", FILES[0].1.trim()] {
            assert!(!shown.contains(secret), "{secret} is shown: {shown}");
        }
    }
    let config = load(&[&BY_ID[..], &[("OPENSTACK_PASWORD", "misspelt")]].concat(), false).unwrap();
    let shown = format!("{config:?}");
    assert!(!shown.contains("s3cret") && !shown.contains("misspelt"), "{shown}");
}

#[test]
fn the_simulated_cloud_needs_no_login() {
    assert_eq!(faults(&[("PROVIDER", "simulated")]), [""; 0]);
    assert_eq!(faults(&[("PROVIDER", "Simulated"), ("OS_AUTH_URL", "nonsense")]), [""; 0]);
}
