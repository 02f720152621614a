//! The shells' completions in `contrib/completions`, written from the table of options and held to it: the program itself
//! carries none.

use std::fs;

use crate::args::{CommandLineOption, FORMAT, FORMATS, OPTIONS};

/// The words that an option's value may be.
fn values(option: &CommandLineOption) -> Option<String> {
    let name = option.value?;
    assert_eq!(name, FORMAT, "--{}: which words may follow?", option.long);
    Some(FORMATS.join(" "))
}

fn bash() -> String {
    let long = OPTIONS.iter().map(|option| format!("--{}", option.long));
    let short = OPTIONS.iter().filter_map(|option| Some(format!("-{}", option.short?)));
    let words: Vec<String> = long.chain(short).collect();
    let with_value: String = OPTIONS
        .iter()
        .filter_map(|option| {
            let words = values(option)?;
            Some(format!(
                "    --{}) mapfile -t COMPREPLY < <(compgen -W '{words}' -- \"$word\") ;;\n",
                option.long
            ))
        })
        .collect();
    format!(
        "# shellcheck shell=bash\n# {WRITTEN}\n\
         _simplescalevm() {{\n    \
             local word=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD - 1]}}\n    \
             # Of `--output=json` the shell makes three words.\n    \
             [[ $before != = ]] || before=${{COMP_WORDS[COMP_CWORD - 2]}}\n    \
             [[ $word != = ]] || word= before=${{COMP_WORDS[COMP_CWORD - 1]}}\n    \
             case $before in\n\
         {with_value}    \
             *) mapfile -t COMPREPLY < <(compgen -W '{}' -- \"$word\") ;;\n    \
             esac\n\
         }}\n\
         complete -F _simplescalevm simplescalevm\n",
        words.join(" ")
    )
}

fn zsh() -> String {
    let specs = OPTIONS.map(|option| {
        let meaning = option.meaning.replace('[', "\\[").replace(']', "\\]").replace('\'', "'\\''");
        let names = match option.short {
            Some(letter) => {
                format!("'(- *)'{{-{letter},--{}}}'[{meaning}]", option.long)
            }
            None => format!("'--{}[{meaning}]", option.long),
        };
        let value = option.value.zip(values(&option));
        let value = value.map(|(name, words)| format!(":{name}:({words})")).unwrap_or_default();
        format!(" \\\n    {names}{value}'")
    });
    format!("#compdef simplescalevm\n# {WRITTEN}\n_arguments{}\n", specs.concat())
}

fn fish() -> String {
    let lines = OPTIONS.map(|option| {
        let short = option.short.map(|letter| format!(" -s {letter}")).unwrap_or_default();
        let value = values(&option).map(|words| format!(" -x -a '{words}'")).unwrap_or_default();
        let meaning = option.meaning.replace('\\', "\\\\").replace('\'', "\\'");
        format!("complete -c simplescalevm{short} -l {}{value} -d '{meaning}'\n", option.long)
    });
    format!("# {WRITTEN}\ncomplete -c simplescalevm -f\n{}", lines.concat())
}

const WRITTEN: &str = "Written by `make completions` from the table of options.";

/// A committed file is what is written now. With `SIMPLESCALEVM_RECORD` it is made so.
#[track_caller]
fn check(name: &str, written: &str) {
    let path = format!("{}/contrib/completions/{name}", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("SIMPLESCALEVM_RECORD").is_some() {
        fs::write(&path, written).unwrap();
    }
    let held = fs::read_to_string(&path).unwrap_or_default();
    assert!(held == written, "{path} is not what `make completions` writes:\n{written}");
}

#[test]
fn bash_completes_the_options_there_are() {
    check("simplescalevm.bash", &bash());
}

#[test]
fn zsh_completes_the_options_there_are() {
    check("_simplescalevm", &zsh());
}

#[test]
fn fish_completes_the_options_there_are() {
    check("simplescalevm.fish", &fish());
}
