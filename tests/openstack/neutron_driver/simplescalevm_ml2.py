"""An ML2 mechanism driver that stands in for the L2 and the L3 agent.

A port is bound, and ACTIVE, at once: with no agent alive the stock drivers refuse
every binding and each server would end in error. The status of a floating IP
follows its association, which is all an L3 agent reports. No packet is moved.

It also keeps Neutron from telling Nova what Nova itself has just done to a port.
Stock Neutron does tell, and Nova then asks for all of the server's network again:
a third of the work of building a server, for nothing.
"""
from neutron.db.models import port_forwarding  # noqa: F401, a list of ports needs it: see complete_models
from neutron.notifiers import nova
from neutron_lib.api.definitions import portbindings
from neutron_lib.callbacks import events
from neutron_lib.callbacks import registry
from neutron_lib.callbacks import resources
from neutron_lib import constants
from neutron_lib.plugins import constants as plugins
from neutron_lib.plugins import directory
from neutron_lib.plugins.ml2 import api
from sqlalchemy import orm


class AgentlessMechanismDriver(api.MechanismDriver):

    def initialize(self):
        for event in (events.AFTER_CREATE, events.AFTER_UPDATE):
            registry.subscribe(self.report_floating_ip, resources.FLOATING_IP, event)
        registry.subscribe(self.complete_models, resources.PROCESS, events.AFTER_INIT)
        self.tell_nova = nova.Notifier.get_instance()._send_nova_notification
        registry.unsubscribe(self.tell_nova, resources.PORT, events.BEFORE_RESPONSE)
        registry.subscribe(self.tell_nova_unless_it_knows, resources.PORT, events.BEFORE_RESPONSE)

    @property
    def connectivity(self):
        return portbindings.CONNECTIVITY_L2

    def bind_port(self, context):
        segment = context.segments_to_bind[0]
        context.set_binding(segment[api.ID], portbindings.VIF_TYPE_OVS,
                            {portbindings.CAP_PORT_FILTER: True},
                            status=constants.PORT_STATUS_ACTIVE)

    def complete_models(self, resource, event, trigger, payload=None):
        # Else each worker does it at its first request for a floating IP, and until then a list of
        # ports ends in 500: "type object 'Port' has no attribute 'port_forwardings'".
        orm.configure_mappers()

    def report_floating_ip(self, resource, event, trigger, payload):
        # As with an agent, the answer of the PUT itself still shows the old status.
        bound = payload.latest_state.get('port_id')
        directory.get_plugin(plugins.L3).update_floatingip_status(
            payload.context.elevated(), payload.resource_id,
            constants.FLOATINGIP_STATUS_ACTIVE if bound else constants.FLOATINGIP_STATUS_DOWN)

    def tell_nova_unless_it_knows(self, resource, event, trigger, payload):
        if payload.context.user_name != 'nova':
            self.tell_nova(resource, event, trigger, payload)
