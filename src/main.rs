//! The executable: exit status, logger, which mode; nothing else.

use std::collections::BTreeMap;
use std::env;
use std::io::{self, IsTerminal, Write};
use std::panic;
use std::process::{self, ExitCode};

use simplescalevm::args::{self, Mode, Output};
use simplescalevm::clock::Clock;
use simplescalevm::daemon::{self, ExitStatus};
use simplescalevm::error::{Error, ErrorKind, Result};
use simplescalevm::handles::Handles;
use simplescalevm::logger::{Filter, Format};
use simplescalevm::outlet::Outlet;
use simplescalevm::probe::Prober;
use simplescalevm::settings::Config;
use simplescalevm::systemd::Manager;
use simplescalevm::{check, config, files, healthcheck, lease, logger, minimum, provider, signals};

fn main() -> ExitCode {
    let (environment, mut faults) = environment();
    let value = |name: &str| environment.get(name).map(String::as_str);
    let filter = Filter::read(value("RUST_LOG")).unwrap_or_else(|wrong| {
        faults.extend(wrong);
        Filter::default()
    });
    let format = Format::of(value("LOG_FORMAT").unwrap_or_default());
    logger::start(&filter, format, logger::is_journal(value("JOURNAL_STREAM")));
    panic::set_hook(Box::new(|panic| {
        log::error!("{}", logger::panic_line(panic));
        // It may be the end of the program.
        logger::finish_in_haste();
    }));

    let status = match args::parse(env::args_os().skip(1)) {
        Err(fault) => refuse(&[fault]),
        Ok(Mode::Help) => print(&args::help(columns(&environment))),
        Ok(Mode::Version) => print(&args::version()),
        Ok(Mode::Healthcheck) => healthcheck(&environment),
        Ok(mode) => with_config(&environment, faults, mode),
    };
    logger::finish();
    ExitCode::from(status.code())
}

fn with_config(
    environment: &BTreeMap<String, String>,
    mut faults: Vec<String>,
    mode: Mode,
) -> ExitStatus {
    let once = matches!(mode, Mode::Run { once: true, .. });
    let mut config = match config::load(environment, &files::text, once) {
        Ok(config) if faults.is_empty() => config,
        wrong => {
            faults.extend(wrong.err().unwrap_or_default());
            if let Mode::Check { output: Output::Json } = mode {
                check::refused(&faults, &mut io::stdout().lock());
            }
            return refuse(&faults);
        }
    };
    minimum::start_with(&mut config);
    let mut out = io::stdout().lock();
    if let Mode::Run { dry_run, .. } = mode {
        let manager = Manager::of(environment, process::id());
        // Whoever wants one plan waits for it; the loop waits for nobody.
        let outlet = if once || dry_run.is_none() { None } else { start_outlet(&out) };
        let Some(mut outlet) = outlet else {
            return daemon::run(&config, dry_run, manager, &mut out);
        };
        let status = daemon::run(&config, dry_run, manager, &mut outlet);
        outlet.finish();
        return status;
    }
    let output = if let Mode::Check { output } = mode { output } else { Output::Text };
    match check_all(&config, output, &mut out) {
        Ok(status) => status,
        Err(error) => {
            if output == Output::Json {
                check::refused(&[error.to_string()], &mut out);
            }
            log::error!("{error}");
            ExitStatus::of(&error)
        }
    }
}

fn healthcheck(environment: &BTreeMap<String, String>) -> ExitStatus {
    let status = config::load_status(environment, &files::text);
    let healthy = status
        .and_then(|status| healthcheck::run(&status.host, status.port).map_err(|why| vec![why]));
    match healthy {
        Ok(()) => ExitStatus::Good,
        Err(why) => {
            refuse(&why);
            // Container engines know 0 and 1 only.
            ExitStatus::Failed
        }
    }
}

/// Stdout, without ever waiting for its reader. What it lacks is said in the log, by whoever could not write it.
fn start_outlet(out: &io::StdoutLock<'_>) -> Option<Outlet> {
    Outlet::start(out, "plans", |_| None).ok()
}

fn check_all(config: &Config, output: Output, out: &mut dyn Write) -> Result<ExitStatus> {
    let handles = Handles::new();
    // As process 1 of a container it would ignore signals that nobody watches for.
    let status = i32::from(ExitStatus::Failed.code());
    signals::watch(handles.stop.clone(), Manager::default(), status).map_err(|error| {
        let text = format!("cannot watch for SIGTERM and SIGINT: {error}");
        Error::new(ErrorKind::Unavailable, text)
    })?;
    let mut provider = provider::open_read_only(config, &handles)?;
    let mut look = || match &config.lease {
        Some(lease) => lease::open::join(config, lease, &handles)?.1.look(),
        None => Ok(None),
    };
    let prober = Prober::new(config.probe.clone(), Clock::start(), handles.clone())?;
    let good = check::run(config, provider.as_mut(), &prober, Some(&mut look), output, out);
    Ok(if good { ExitStatus::Good } else { ExitStatus::Failed })
}

/// The environment, and a fault for each setting of ours that is not text. Other programs' variables may hold anything.
fn environment() -> (BTreeMap<String, String>, Vec<String>) {
    let ours = [
        "APP_",
        "ETCDCTL_",
        "EXTERNAL_",
        "LOG_FORMAT",
        "OPENSTACK_",
        "OS_",
        "PROVIDER",
        "REPLICA_",
        "RUST_LOG",
    ];
    let proxies = ["http_proxy", "https_proxy", "all_proxy", "no_proxy"];
    let is_ours = |name: &str| {
        ours.iter().any(|ours| name.starts_with(ours))
            || proxies.iter().any(|proxy| name.eq_ignore_ascii_case(proxy))
    };
    let (mut variables, mut faults) = (BTreeMap::new(), Vec::new());
    for (name, value) in env::vars_os() {
        match (name.into_string(), value.into_string()) {
            (Ok(name), Ok(value)) => {
                variables.insert(name, value);
            }
            (Ok(name), Err(_)) if is_ours(&name) => {
                faults.push(format!("{name}: its value is not UTF-8"));
            }
            _ => {}
        }
    }
    (variables, faults)
}

/// Whoever pipes the help on knows nothing of the terminal.
fn columns(environment: &BTreeMap<String, String>) -> usize {
    let told = environment.get("COLUMNS").map(String::as_str);
    args::width(told.filter(|_| io::stdout().is_terminal()))
}

/// Wrong settings are reported whatever `RUST_LOG` is.
fn refuse(faults: &[String]) -> ExitStatus {
    for fault in faults {
        logger::say(fault);
    }
    ExitStatus::Settings
}

fn print(text: &str) -> ExitStatus {
    let mut out = io::stdout().lock();
    match writeln!(out, "{}", text.trim_end()).and_then(|()| out.flush()) {
        // Whoever read it has read enough (`| head`).
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => ExitStatus::Failed,
        _ => ExitStatus::Good,
    }
}
