# Written by `make completions` from the table of options.
complete -c simplescalevm -f
complete -c simplescalevm -l once -d 'run one pass, then exit; for cron'
complete -c simplescalevm -l dry-run -d 'show what it sees and would do, and change nothing; alone or with --once'
complete -c simplescalevm -l output -x -a 'text json' -d 'with --dry-run or --check: text, or json for scripts, one object per line'
complete -c simplescalevm -l check -d 'check the settings, login, flavor, image, network and the rest, ask the existing replicas, show every fault, then exit; changes nothing'
complete -c simplescalevm -l healthcheck -d 'ask the instance running with these settings whether it is alive, then exit; for containers'
complete -c simplescalevm -s h -l help -d 'this text'
complete -c simplescalevm -s V -l version -d 'the version'
