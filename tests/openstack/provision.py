#!/usr/bin/python3
"""Fill the cloud. What is there already is left as it is.

    provision.py identity   users, projects, catalog: needs Keystone only
    provision.py cloud      image, flavors, networks, floating IPs: needs all services
"""
import os
import sys
import time

import openstack

E = os.environ
PROJECTS = E['PROJECTS'].split()
FLOATING_IPS = {'server': 4, 'other': 1}  # description: how many
FLAVORS = {  # name: processors, MiB, GiB
    'd2-8': (4, 8000, 50),
    'd2-2': (1, 2000, 25),
    'no-host': (100000, 1024, 1),  # more than the host has: such a server ends in error
}


def connect(user, password, project):
    return openstack.connection.Connection(
        region_name=E['REGION'],
        auth={'auth_url': E['KEYSTONE_URL'], 'username': user, 'password': password,
              'project_name': project, 'user_domain_id': 'default', 'project_domain_id': 'default'})


def connect_member(project):
    return connect(project, E['MEMBER_PASSWORD'], project)


def identity(admin):
    keystone = admin.identity
    service_role = keystone.find_role('service') or keystone.create_role(name='service')
    service_project = ensure_project(keystone, 'service')
    for name in ('glance', 'placement', 'nova', 'neutron'):
        user = ensure_user(keystone, name, E['SERVICE_PASSWORD'])
        for role in (service_role, keystone.find_role('admin')):
            keystone.assign_project_role_to_user(service_project, user, role)
    ensure_endpoint(keystone, 'image', 'glance', E['GLANCE_URL'])
    ensure_endpoint(keystone, 'placement', 'placement', E['PLACEMENT_URL'])
    ensure_endpoint(keystone, 'compute', 'nova', E['NOVA_URL'])
    ensure_endpoint(keystone, 'network', 'neutron', E['NEUTRON_URL'])
    for name in PROJECTS:
        project = ensure_project(keystone, name)
        member = ensure_user(keystone, name, E['MEMBER_PASSWORD'])
        keystone.assign_project_role_to_user(project, member, keystone.find_role('member'))
        ensure_application_credential(connect_member(name).identity, member)


def ensure_project(keystone, name):
    return keystone.find_project(name) or keystone.create_project(name=name, domain_id='default')


def ensure_user(keystone, name, password):
    return (keystone.find_user(name)
            or keystone.create_user(name=name, password=password, domain_id='default'))


def ensure_endpoint(keystone, kind, name, url):
    service = keystone.find_service(name) or keystone.create_service(name=name, type=kind)
    have = {endpoint.interface for endpoint in keystone.endpoints(service_id=service.id)}
    for interface in {'public', 'internal', 'admin'} - have:
        keystone.create_endpoint(service_id=service.id, interface=interface,
                                 region_id=E['REGION'], url=url)


def ensure_application_credential(keystone, user):
    """Its secret is told once, at creation: without the file a new one is made."""
    have = keystone.find_application_credential(user, 'scaler')
    of = user.name.removeprefix(PROJECTS[0])
    if have and os.path.exists(secret(f'application-credential{of}')):
        return
    if have:
        keystone.delete_application_credential(user, have)
    made = keystone.create_application_credential(user, 'scaler')
    write(secret(f'application-credential-id{of}'), made.id)
    write(secret(f'application-credential{of}'), made.secret)


def secret(name):
    return os.path.join(E['SECRETS'], name)


def write(path, text):
    with open(path, 'w') as file:
        file.write(text)


def cloud(admin):
    members = [connect_member(project) for project in PROJECTS]
    if not admin.image.find_image('Debian 11'):
        admin.image.upload_image(name='Debian 11', disk_format='raw', container_format='bare',
                                 visibility='public', data=b'no image: nothing boots it')
    for name, (processors, memory, disk) in FLAVORS.items():
        if not admin.compute.find_flavor(name):
            admin.compute.create_flavor(name=name, vcpus=processors, ram=memory, disk=disk)
    for member in members:
        if not member.compute.find_keypair('ops'):
            member.compute.create_keypair(name='ops')  # Nova makes the key; nobody needs its private half
    networks(admin.network, members[0].network)
    wait_for_compute(admin.compute)
    ensure_aggregate(admin.compute)


def networks(neutron, member):
    """Ext-Net is a shared tenant network, as at some providers: floating IPs come from "public"."""
    network = ensure_network(neutron, 'Ext-Net', shared=True)
    subnet = ensure_subnet(neutron, network, 'Ext-Net-v4', E['NETWORK_V4'])
    ensure_subnet(neutron, network, 'Ext-Net-v6', E['NETWORK_V6'])
    second = ensure_network(neutron, 'Second-Net', shared=True)
    ensure_subnet(neutron, second, 'Second-Net-v4', E['SECOND_V4'])
    public = ensure_network(neutron, 'public', is_router_external=True)
    ensure_subnet(neutron, public, 'public-v4', E['PUBLIC_V4'])
    router = neutron.find_router('router') or neutron.create_router(
        name='router', external_gateway_info={'network_id': public.id})
    if not list(neutron.ports(device_id=router.id, fixed_ips=f'subnet_id={subnet.id}')):
        neutron.add_interface_to_router(router, subnet_id=subnet.id)
    for description, wanted in FLOATING_IPS.items():
        have = list(member.ips(description=description))
        for _ in range(wanted - len(have)):
            member.create_ip(floating_network_id=public.id, description=description)


def ensure_network(neutron, name, **what):
    return neutron.find_network(name) or neutron.create_network(name=name, **what)


def ensure_subnet(neutron, network, name, cidr):
    # Neutron takes a loopback range only for a subnet without DHCP.
    return neutron.find_subnet(name) or neutron.create_subnet(
        name=name, network_id=network.id, cidr=cidr, ip_version=6 if ':' in cidr else 4,
        is_dhcp_enabled=False)


def wait_for_compute(nova):
    deadline = time.monotonic() + 60
    while not [s for s in nova.services(binary='nova-compute') if s.state == 'up']:
        if time.monotonic() > deadline:
            raise SystemExit('nova-compute is not up in Nova\'s list of services')
        time.sleep(0.5)


def ensure_aggregate(nova):
    """Its property max_instances_per_host, which a test sets, makes the host full."""
    aggregate = (nova.find_aggregate('hosts', ignore_missing=True)
                 or nova.create_aggregate(name='hosts'))
    if E['COMPUTE_HOST'] not in (aggregate.hosts or []):
        nova.add_host_to_aggregate(aggregate, E['COMPUTE_HOST'])


if __name__ == '__main__':
    steps = {'identity': identity, 'cloud': cloud}
    steps[sys.argv[1]](connect('admin', E['ADMIN_PASSWORD'], 'admin'))
