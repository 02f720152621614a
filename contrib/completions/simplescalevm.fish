# Written by `make completions` from the table of options.
complete -c simplescalevm -f
complete -c simplescalevm -l once -d 'one pass, then end; for cron'
complete -c simplescalevm -l dry-run -d 'say what was seen and what would be done, and change nothing; alone or with --once'
complete -c simplescalevm -l output -x -a 'text json' -d 'with --dry-run or --check: text, or json for scripts: one object on a line'
complete -c simplescalevm -l check -d 'check settings, login, flavor, image, network and the rest, ask the replicas there are, show every fault, then end; changes nothing'
complete -c simplescalevm -l healthcheck -d 'ask the instance that runs with these same settings whether it lives, then end; for containers'
complete -c simplescalevm -s h -l help -d 'this text'
complete -c simplescalevm -s V -l version -d 'the version'
