# `make help` lists the targets.

.PHONY: openstack-up openstack-down help

openstack-up: ## Bring up a real OpenStack on loopback for tests (see tests/openstack/README.md)
	tests/openstack/up

openstack-down: ## Stop that OpenStack; its data and its packages stay
	tests/openstack/down

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
