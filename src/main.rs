//! The executable: exit status, logger, which mode; nothing else.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::io::{self, Write};
use std::panic;
use std::process::ExitCode;

use log::Level;
use simplescalevm::args::{self, Mode};
use simplescalevm::daemon::{self, ExitStatus};
use simplescalevm::error::{Result, one_line};
use simplescalevm::handles::Handles;
use simplescalevm::logger::Format;
use simplescalevm::probe::Prober;
use simplescalevm::settings::Config;
use simplescalevm::{check, config, logger, provider};

fn main() -> ExitCode {
    let (environment, faults) = environment();
    let filter = environment.get("RUST_LOG").map(String::as_str);
    let format = Format::of(environment.get("LOG_FORMAT").map(String::as_str).unwrap_or_default());
    let stream = environment.get("JOURNAL_STREAM").map(String::as_str);
    logger::start(filter, format, logger::is_journal(stream));
    // One line, as everything else in the log.
    panic::set_hook(Box::new(|panic| log::error!("{}", one_line(&panic.to_string(), 400))));

    let status = match args::parse(env::args_os().skip(1)) {
        Err(fault) => refuse(&[fault], format),
        Ok(Mode::Help) => print(&args::help()),
        Ok(Mode::Version) => print(&args::version()),
        Ok(mode) => with_config(&environment, faults, mode, format),
    };
    ExitCode::from(status.code())
}

fn with_config(
    environment: &BTreeMap<String, String>,
    mut faults: Vec<String>,
    mode: Mode,
    format: Format,
) -> ExitStatus {
    let once = matches!(mode, Mode::Run { once: true, .. });
    let config = match config::load(environment, &|path| fs::read_to_string(path), once) {
        Ok(config) if faults.is_empty() => config,
        Ok(_) => return refuse(&faults, format),
        Err(others) => {
            faults.extend(others);
            return refuse(&faults, format);
        }
    };
    let mut out = io::stdout().lock();
    if let Mode::Run { dry_run, .. } = mode {
        return daemon::run(&config, dry_run, &mut out);
    }
    check_all(&config, &mut out).unwrap_or_else(|error| {
        log::error!("{error}");
        ExitStatus::of(&error)
    })
}

fn check_all(config: &Config, out: &mut dyn Write) -> Result<ExitStatus> {
    for warning in &config.warnings {
        log::warn!("{warning}");
    }
    // Signals end a check as they end any program: it changes nothing.
    let handles = Handles::new();
    let mut provider = provider::open_read_only(config, &handles)?;
    let prober = Prober::new(config.probe.clone(), handles)?;
    let good = check::run(config, provider.as_mut(), &prober, out);
    Ok(if good { ExitStatus::Good } else { ExitStatus::Failed })
}

/// The environment, and a fault for each setting of ours that is no text. Other programs' variables may hold anything.
fn environment() -> (BTreeMap<String, String>, Vec<String>) {
    let ours = ["APP_", "EXTERNAL_", "LOG_FORMAT", "OPENSTACK_", "OS_", "PROVIDER", "REPLICA_"];
    let (mut variables, mut faults) = (BTreeMap::new(), Vec::new());
    for (name, value) in env::vars_os() {
        match (name.into_string(), value.into_string()) {
            (Ok(name), Ok(value)) => {
                variables.insert(name, value);
            }
            (Ok(name), Err(_)) if ours.iter().any(|ours| name.starts_with(ours)) => {
                faults.push(format!("{name}: its value is not UTF-8"));
            }
            _ => {}
        }
    }
    (variables, faults)
}

/// Wrong settings are told whatever `RUST_LOG` is.
fn refuse(faults: &[String], format: Format) -> ExitStatus {
    let mut err = io::stderr().lock();
    for fault in faults {
        // Whoever closed stderr gets the exit status.
        let _ = match format {
            Format::Text => writeln!(err, "simplescalevm: {fault}"),
            Format::Json => {
                writeln!(err, "{}", logger::json(Level::Error, "simplescalevm", fault.clone()))
            }
        };
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
