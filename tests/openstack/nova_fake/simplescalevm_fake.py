"""nova.virt.fake.FakeDriver, with builds and deletions that can be made to wait or fail.

Each knob is a file in $SIMPLESCALEVM_OPENSTACK_KNOBS, read at every build and deletion:

    build_delay    COUNT SECONDS   the next COUNT builds take SECONDS
    build_fail     COUNT           the next COUNT builds fail on the host
    delete_delay   COUNT SECONDS
    delete_fail    COUNT

COUNT can be "all". No file: nothing happens. Removing the file ends the waits under
way: Nova deletes a server only after its build is over, so a build that is stuck for
good could never be cleaned up.
"""
import fcntl
import os
import time

from nova import exception
from nova.virt import fake

KNOBS = os.environ['SIMPLESCALEVM_OPENSTACK_KNOBS']


def draw(name):
    """Take one from the knob's count; its other words if there was one, else None."""
    try:
        knob = open(os.path.join(KNOBS, name), 'r+')
    except FileNotFoundError:
        return None
    with knob:
        fcntl.flock(knob, fcntl.LOCK_EX)
        count, *rest = knob.read().split() or ['0']
        if count == 'all':
            return rest
        if int(count) <= 0:
            return None
        knob.seek(0)
        knob.truncate()
        knob.write(' '.join([str(int(count) - 1), *rest]) + '\n')
        return rest


def wait(name):
    words = draw(name)
    if words is None:
        return
    end = time.monotonic() + float(words[0])
    # eventlet's sleep: the other builds go on.
    while time.monotonic() < end and os.path.exists(os.path.join(KNOBS, name)):
        time.sleep(0.2)


class KnobbedFakeDriver(fake.FakeDriver):

    def spawn(self, context, instance, *args, **kwargs):
        wait('build_delay')
        if draw('build_fail') is not None:
            raise exception.InstanceDeployFailure(reason='the knob build_fail says so')
        super().spawn(context, instance, *args, **kwargs)

    def destroy(self, context, instance, *args, **kwargs):
        wait('delete_delay')
        if draw('delete_fail') is not None:
            raise exception.InstanceTerminationFailure(reason='the knob delete_fail says so')
        super().destroy(context, instance, *args, **kwargs)
