//! The lease's record in etcd (3.4 or later), through its JSON gateway (`etcd` documentation, "gRPC gateway").
//!
//! Two keys under `simplescalevm/NAME/`. `epoch` stays: the last epoch, who made it, and whether it was handed over. So
//! no number is given out twice, and one that ran out can be told from none at all. `renewed` is there for as long as
//! its holder renews: a number, under a lease of etcd's own for one validity.
//!
//! Each renewal puts `renewed` under a *new* lease, and the one before runs out with nothing under it. A grant goes
//! through the members' agreement; a keepalive is answered by whoever believes itself the leader, even one that was cut
//! off from the others (etcd before 3.4.25 and 3.5.8), while the real one lets the key go. It takes as many requests.
//!
//! Every change is a transaction that holds for the state last seen only, so one that is sent twice, or takes effect late,
//! does nothing: a new epoch for just this revision of `epoch` and no `renewed`; the rest for the `renewed` that we made.
//! That is why any request may go on to the next endpoint when the first one doesn't answer.
//!
//! Rights: a user needs `readwrite` for the prefix `simplescalevm/NAME/`. The gateway knows no users by client certificates
//! ("CN based auth") and refuses those with a common name: with authentication on, it has to be a user with a password.
//!
//! Requests a minute, at the default validity of 30 s: the holder 18 (6 grants, 6 transactions, 6 ranges), a standby 6;
//! with a password a login whenever the token ran out (5 min after its last use, by etcd's default). A takeover costs 2 more.

use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Value, json};

use crate::error::{Error, ErrorKind, Result, one_line};
use crate::http::{self, EtcdClient};
use crate::lease::{Creation, Holder, Record, Renewal, State, Store};
use crate::secret::Secret;
use crate::settings::{EtcdLogin, EtcdSettings};

/// Most characters that are shown of another scaler's name.
const CHARACTERS_MAX: usize = 255;

/// What etcd says of a token that it no longer accepts: nothing was done.
const STALE_TOKEN: [&str; 2] = ["invalid auth token", "revision of auth store is old"];

/// The record of one lease, and who we are.
#[derive(Debug)]
pub struct Etcd {
    client: EtcdClient,
    login: Option<EtcdLogin>,
    token: Option<Secret>,
    name: String,
    me: Holder,
    /// Seconds etcd keeps what is not renewed.
    seconds: u64,
    limit: Duration,
    deadline: Instant,
    /// As the last look showed it, or our own change left it.
    seen: Seen,
    own: Option<Own>,
}

/// A state of the key `epoch`; all zero when there is none.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    epoch: u64,
    revision: u64,
}

/// The epoch we made, and the revision that made its `renewed`.
#[derive(Clone, Copy, Debug)]
struct Own {
    epoch: u64,
    created: u64,
}

/// The value of the key `epoch`.
#[derive(Debug, Deserialize, Serialize)]
struct Stored {
    epoch: u64,
    holder: String,
    word: String,
    released: bool,
}

#[derive(Debug, Deserialize)]
struct Range {
    #[serde(default)]
    kvs: Vec<Pair>,
}

/// A key with its value, both in base64.
#[derive(Debug, Deserialize)]
struct Pair {
    key: String,
    #[serde(default)]
    value: String,
    #[serde(deserialize_with = "number", alias = "modRevision")]
    mod_revision: u64,
}

#[derive(Debug, Deserialize)]
struct Transaction {
    header: Header,
    /// Left out when it is `false`.
    #[serde(default)]
    succeeded: bool,
}

#[derive(Debug, Deserialize)]
struct Header {
    #[serde(deserialize_with = "number")]
    revision: u64,
}

#[derive(Debug, Deserialize)]
struct Grant {
    #[serde(rename = "ID", deserialize_with = "number")]
    id: u64,
}

#[derive(Debug, Deserialize)]
struct Authentication {
    token: String,
}

impl Etcd {
    /// The record of the lease `name`, which etcd ends when it is not renewed for `validity`. Each call takes `limit` at
    /// most. A certificate that can't be read is an error.
    pub fn new(
        settings: &EtcdSettings,
        name: &str,
        me: Holder,
        validity: Duration,
        limit: Duration,
    ) -> Result<Self> {
        Ok(Etcd {
            client: EtcdClient::new(settings)?,
            login: settings.login.clone(),
            token: None,
            name: name.to_owned(),
            me,
            seconds: validity.as_secs() + u64::from(validity.subsec_nanos() > 0),
            limit,
            deadline: Instant::now(),
            seen: Seen::default(),
            own: None,
        })
    }

    fn key(&self, last: &str) -> String {
        STANDARD.encode(format!("simplescalevm/{}/{last}", self.name))
    }

    fn begin(&mut self) {
        self.deadline = Instant::now() + self.limit;
    }

    /// Asks, as our user if there is one. A token that is refused is renewed once.
    fn ask<T: DeserializeOwned>(&mut self, path: &str, body: &Value) -> Result<T> {
        let answer = match self.ask_as_user(path, body) {
            Err(error) if self.login.is_some() && is_about_token(&error) => {
                log::debug!("logging in to etcd again: {error}");
                self.token = None;
                self.ask_as_user(path, body)
            }
            answer => answer,
        };
        read(path, &answer.map_err(|error| self.explained(error))?)
    }

    fn ask_as_user(&mut self, path: &str, body: &Value) -> Result<Vec<u8>> {
        if let (Some(login), None) = (&self.login, &self.token) {
            const PATH: &str = "/v3/auth/authenticate";
            let body = json!({"name": login.user, "password": login.password.expose()}).to_string();
            let secrets = [&login.password];
            let answer = self.client.post(PATH, body.as_bytes(), None, &secrets, self.deadline);
            let answer = answer.map_err(|error| {
                error.context(format!("cannot log in to etcd as ETCDCTL_USER \"{}\"", login.user))
            })?;
            self.token = Some(Secret::new(read::<Authentication>(PATH, &answer)?.token));
        }
        let secrets: Vec<&Secret> = self.token.iter().collect();
        let body = body.to_string();
        self.client.post(path, body.as_bytes(), self.token.as_ref(), &secrets, self.deadline)
    }

    /// Names a missing right, and what to do.
    fn explained(&self, error: Error) -> Error {
        let advice = match error.kind {
            ErrorKind::Refused(_) if error.text.contains("permission denied") => format!(
                " (ETCDCTL_USER may not: etcdctl role grant-permission ROLE readwrite --prefix=true 'simplescalevm/{}/')",
                self.name
            ),
            ErrorKind::Refused(_) if error.text.contains("user name is empty") => {
                " (it asks for a user and a password: set ETCDCTL_USER and ETCDCTL_PASSWORD)"
                    .to_owned()
            }
            ErrorKind::Refused(_) if error.text.contains("CommonName of client") => {
                " (etcd's gateway rejects a client certificate with a common name (CN) in its subject: ETCDCTL_CERT \
                 must not have one)"
                    .to_owned()
            }
            ErrorKind::Refused(404) => " (is it etcd 3.4 or later?)".to_owned(),
            _ => return error,
        };
        Error::new(error.kind, format!("{error}{advice}"))
    }

    /// Both keys at one moment: a range from the one to the other.
    fn try_look(&mut self) -> Result<Option<Record>> {
        const PATH: &str = "/v3/kv/range";
        let (epoch, renewed) = (self.key("epoch"), self.key("renewed"));
        let body = json!({"key": epoch, "range_end": self.key("renewed\0")});
        let range: Range = self.ask(PATH, &body)?;
        let find = |key: &String| range.kvs.iter().find(|pair| pair.key == *key);
        let (epoch, renewed) = (find(&epoch), find(&renewed));
        let Some(pair) = epoch else {
            self.seen = Seen::default();
            return match renewed {
                None => Ok(None),
                Some(_) => Err(self.unreadable("epoch")),
            };
        };
        let value: Option<Stored> = decoded(pair).and_then(|json| serde_json::from_str(&json).ok());
        let Some(Stored { epoch, holder: name, word, released }) = value else {
            return Err(self.unreadable("epoch"));
        };
        let counter = renewed.map(|pair| decoded(pair).and_then(|text| text.parse::<u64>().ok()));
        let (state, renewed) = match counter {
            _ if released => (State::Released, 0),
            None => (State::Expired, 0),
            Some(Some(renewed)) => (State::Held, renewed),
            Some(None) => return Err(self.unreadable("renewed")),
        };
        self.seen = Seen { epoch, revision: pair.mod_revision };
        Ok(Some(Record {
            epoch,
            holder: Holder { name: one_line(&name, CHARACTERS_MAX), word },
            renewed,
            state,
        }))
    }

    fn unreadable(&self, key: &str) -> Error {
        let prefix = format!("simplescalevm/{}/", self.name);
        let text = format!(
            "the key {prefix}{key} is not as this program writes it: stop all scalers, then etcdctl del --prefix '{prefix}'"
        );
        Error::new(ErrorKind::Invalid, text)
    }

    /// The value of the key `epoch` for our own epoch.
    fn epoch_value(&self, epoch: u64, released: bool) -> String {
        let Holder { name: holder, word } = self.me.clone();
        STANDARD.encode(json!(Stored { epoch, holder, word, released }).to_string())
    }

    /// A put of `renewed`, under a new lease of etcd's.
    fn put_renewed(&mut self, renewed: u64) -> Result<Value> {
        let grant: Grant =
            self.ask("/v3/lease/grant", &json!({"TTL": self.seconds.to_string()}))?;
        let value = STANDARD.encode(renewed.to_string());
        let lease = grant.id.to_string();
        Ok(json!({"request_put": {"key": self.key("renewed"), "value": value, "lease": lease}}))
    }

    fn put_epoch(&self, epoch: u64, released: bool) -> Value {
        let value = self.epoch_value(epoch, released);
        json!({"request_put": {"key": self.key("epoch"), "value": value}})
    }

    /// That `renewed` was made by this revision; 0: that there is none.
    fn renewed_is_of(&self, revision: u64) -> Value {
        json!({"key": self.key("renewed"), "target": "CREATE", "result": "EQUAL",
            "create_revision": revision.to_string()})
    }

    fn transact(&mut self, compare: &[Value], success: &[Value]) -> Result<Transaction> {
        self.ask("/v3/kv/txn", &json!({"compare": compare, "success": success}))
    }

    fn try_create(&mut self, epoch: u64) -> Result<Creation> {
        if epoch <= self.seen.epoch {
            return Ok(Creation::Exists);
        }
        let same_epoch = json!({"key": self.key("epoch"), "target": "MOD", "result": "EQUAL",
            "mod_revision": self.seen.revision.to_string()});
        let changes = [self.put_epoch(epoch, false), self.put_renewed(0)?];
        let made = self.transact(&[same_epoch, self.renewed_is_of(0)], &changes)?;
        if !made.succeeded {
            return Ok(Creation::Exists);
        }
        let revision = made.header.revision;
        self.seen = Seen { epoch, revision };
        self.own = Some(Own { epoch, created: revision });
        Ok(Creation::Created)
    }

    fn try_renew(&mut self, epoch: u64, renewed: u64) -> Result<Renewal> {
        let Some(own) = self.own.filter(|own| own.epoch == epoch) else {
            return Ok(Renewal::Gone);
        };
        let change = self.put_renewed(renewed)?;
        let done = self.transact(&[self.renewed_is_of(own.created)], &[change])?;
        if !done.succeeded {
            self.own = None;
            return Ok(Renewal::Gone);
        }
        Ok(Renewal::Renewed)
    }

    fn try_release(&mut self, epoch: u64) -> Result<()> {
        // What is no longer ours cannot be handed over.
        let Some(own) = self.own.filter(|own| own.epoch == epoch) else { return Ok(()) };
        let changes = [
            self.put_epoch(epoch, true),
            json!({"request_delete_range": {"key": self.key("renewed")}}),
        ];
        self.transact(&[self.renewed_is_of(own.created)], &changes)?;
        self.own = None;
        Ok(())
    }
}

impl Store for Etcd {
    fn look(&mut self) -> Result<Option<Record>> {
        self.begin();
        self.try_look()
    }

    fn read(&mut self, epoch: u64) -> Result<Option<Record>> {
        Ok(self.look()?.filter(|record| record.epoch == epoch))
    }

    fn create(&mut self, epoch: u64) -> Result<Creation> {
        self.begin();
        self.try_create(epoch)
    }

    fn renew(&mut self, epoch: u64, renewed: u64) -> Result<Renewal> {
        self.begin();
        self.try_renew(epoch, renewed)
    }

    fn release(&mut self, epoch: u64) -> Result<()> {
        self.begin();
        self.try_release(epoch)
    }

    /// There is only one record, and the next epoch replaces it.
    fn delete(&mut self, _epoch: u64) -> Result<()> {
        Ok(())
    }

    fn expires(&self) -> bool {
        true
    }
}

fn is_about_token(error: &Error) -> bool {
    let said = |words: &&str| error.text.contains(*words);
    match error.kind {
        ErrorKind::Refused(401) => true,
        ErrorKind::Refused(_) => STALE_TOKEN.iter().any(said),
        _ => false,
    }
}

fn read<T: DeserializeOwned>(path: &str, body: &[u8]) -> Result<T> {
    http::json(body).map_err(|why| Error::new(ErrorKind::Invalid, format!("POST {path}: {why}")))
}

fn decoded(pair: &Pair) -> Option<String> {
    String::from_utf8(STANDARD.decode(&pair.value).ok()?).ok()
}

/// A 64-bit number, which JSON's mapping of protobuf writes as a string.
fn number<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<u64, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::String(text) => text.parse().map_err(D::Error::custom),
        value => value.as_u64().ok_or_else(|| D::Error::custom("not a number")),
    }
}
