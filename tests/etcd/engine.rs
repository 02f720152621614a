//! The program etcd itself, and its members as processes on loopback.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use simplescalevm::http::EtcdClient;
use simplescalevm::proxies::Proxies;
use simplescalevm::secret::Secret;
use simplescalevm::settings::{ClientCertificate, EtcdSettings};

/// More than anything should take, on a machine that is busy with everything else.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Files of the PEM kind that members and clients show each other.
pub struct Certificates {
    pub authority: PathBuf,
    pub server: ClientCertificate,
    pub client: ClientCertificate,
    /// One with a common name.
    pub named: ClientCertificate,
}

/// A member, as a process. Dropped, it is killed.
pub struct Member {
    process: Child,
    pub url: String,
}

/// Members that make one cluster. Dropped, they are gone with all they have.
pub struct Cluster {
    pub members: Vec<Member>,
    pub certificates: Option<Certificates>,
    directory: PathBuf,
}

impl Cluster {
    /// So many members; returns when they answer.
    pub fn start(count: usize) -> Self {
        Cluster::start_with(count, None)
    }

    /// One member that lets in who shows a certificate of its authority.
    pub fn start_locked() -> Self {
        let directory = new_directory();
        let certificates = certificates(&directory);
        Cluster::start_in(directory, 1, Some(certificates))
    }

    fn start_with(count: usize, certificates: Option<Certificates>) -> Self {
        Cluster::start_in(new_directory(), count, certificates)
    }

    fn start_in(directory: PathBuf, count: usize, certificates: Option<Certificates>) -> Self {
        let scheme = if certificates.is_some() { "https" } else { "http" };
        let ports = free_ports(count * 2);
        let (clients, peers) = ports.split_at(count);
        let peer = |place: usize| format!("http://127.0.0.1:{}", peers[place]);
        let all: Vec<String> =
            (0..count).map(|place| format!("m{place}={}", peer(place))).collect();
        let members = (0..count).map(|place| {
            let url = format!("{scheme}://127.0.0.1:{}", clients[place]);
            let mut command = Command::new(program());
            command
                .args(["--name", &format!("m{place}")])
                .args(["--data-dir", directory.join(format!("m{place}")).to_str().unwrap()])
                .args(["--listen-client-urls", &url, "--advertise-client-urls", &url])
                .args(["--listen-peer-urls", &peer(place)])
                .args(["--initial-advertise-peer-urls", &peer(place)])
                .args(["--initial-cluster", &all.join(","), "--logger", "zap"]);
            if let Some(certificates) = &certificates {
                command
                    .arg("--client-cert-auth")
                    .args([Path::new("--trusted-ca-file"), &certificates.authority])
                    .args([Path::new("--cert-file"), &certificates.server.cert])
                    .args([
                        "--key-file".as_ref(),
                        certificates.server.key.as_deref().expect("it has one"),
                    ]);
            }
            let log = fs::File::create(directory.join(format!("m{place}.log"))).unwrap();
            let process = command.stdout(Stdio::null()).stderr(log).spawn();
            Member { process: process.expect("etcd starts"), url }
        });
        let members: Vec<Member> = members.collect();
        let cluster = Cluster { members, certificates, directory };
        let began = Instant::now();
        while let Err(error) = cluster.ask("/v3/kv/range", r#"{"key": "AA=="}"#, None) {
            assert!(began.elapsed() < PATIENCE, "etcd does not answer: {error}\n{}", cluster.log());
            thread::sleep(Duration::from_millis(50));
        }
        cluster
    }

    /// How clients get in, without a user.
    pub fn settings(&self) -> EtcdSettings {
        EtcdSettings {
            endpoints: self.members.iter().map(|member| member.url.clone()).collect(),
            cacert: self.certificates.as_ref().map(|all| all.authority.clone()),
            certificate: self.certificates.as_ref().map(|all| all.client.clone()),
            login: None,
            proxies: Proxies::default(),
        }
    }

    /// One request, with a token or without.
    pub fn ask(
        &self,
        path: &str,
        body: &str,
        token: Option<&Secret>,
    ) -> simplescalevm::error::Result<serde_json::Value> {
        let mut client = EtcdClient::new(&self.settings())?;
        let deadline = Instant::now() + Duration::from_secs(10);
        let answer = client.post(path, body.as_bytes(), token, &[], deadline)?;
        Ok(serde_json::from_slice(&answer).unwrap_or_default())
    }

    fn log(&self) -> String {
        let logs = (0..self.members.len()).map(|place| format!("m{place}.log"));
        logs.map(|log| fs::read_to_string(self.directory.join(log)).unwrap_or_default()).collect()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.members.clear();
        let _ = fs::remove_dir_all(&self.directory);
    }
}

impl Member {
    /// Ends it at once.
    pub fn kill(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    /// It hangs from now on: connections are accepted and nothing is answered.
    pub fn pause(&self) {
        self.signal(Signal::STOP);
    }

    /// It goes on where it was.
    pub fn resume(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.process.id()).ok().and_then(Pid::from_raw);
        kill_process(id.expect("a process"), signal).expect("our own process");
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Held until all are known, so that none comes twice.
fn free_ports(count: usize) -> Vec<u16> {
    let open = |_| TcpListener::bind("127.0.0.1:0").unwrap();
    let ports: Vec<TcpListener> = (0..count).map(open).collect();
    ports.iter().map(|port| port.local_addr().unwrap().port()).collect()
}

/// A new directory of this test's own.
fn new_directory() -> PathBuf {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let name = format!("simplescalevm-etcd-{}-{number}", std::process::id());
    let directory = std::env::temp_dir().join(name);
    let _ = fs::remove_dir_all(&directory);
    fs::create_dir_all(&directory).unwrap();
    directory
}

/// The program: the system's, or Debian's as it comes out of its package.
fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let paths = std::env::var_os("PATH").unwrap_or_default();
        let mut places = std::env::split_paths(&paths).map(|path| path.join("etcd"));
        if let Some(installed) = places.find(|path| path.is_file()) {
            return installed;
        }
        let directory = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/target/etcd"));
        let unpacked = directory.join("usr/bin/etcd");
        if !unpacked.is_file() {
            fs::create_dir_all(directory).unwrap();
            let unpack = "apt-get download etcd-server || { apt-get update && apt-get download etcd-server; }
                dpkg-deb -x etcd-server_*.deb .";
            shell(directory, unpack);
        }
        unpacked
    })
}

/// An authority, and a certificate of it for a member and one for a client.
fn certificates(directory: &Path) -> Certificates {
    shell(
        directory,
        "new() { openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj \"/$1\" \
             -keyout \"$2.key\" -out \"$2.pem\" \"${@:3}\"; }
         new CN=authority authority -addext keyUsage=keyCertSign
         sign=(-CA authority.pem -CAkey authority.key -addext basicConstraints=critical,CA:FALSE)
         new CN=server server \"${sign[@]}\" -addext subjectAltName=IP:127.0.0.1
         new O=client client \"${sign[@]}\" -addext extendedKeyUsage=clientAuth
         new CN=named named \"${sign[@]}\" -addext extendedKeyUsage=clientAuth",
    );
    let of = |name: &str| ClientCertificate {
        cert: directory.join(format!("{name}.pem")),
        key: Some(directory.join(format!("{name}.key"))),
    };
    let authority = directory.join("authority.pem");
    Certificates { authority, server: of("server"), client: of("client"), named: of("named") }
}

fn shell(directory: &Path, script: &str) {
    let output = Command::new("bash")
        .args(["-euc", script])
        .current_dir(directory)
        .output()
        .expect("a shell");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script}: {said}");
}
