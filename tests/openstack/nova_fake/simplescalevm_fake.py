"""nova.virt.fake.FakeDriver, with builds and deletions that can be made to wait or fail.

Each knob is a file in $SIMPLESCALEVM_OPENSTACK_KNOBS, read at every build and deletion:

    build_delay    COUNT SECONDS   the next COUNT builds take SECONDS
    build_fail     COUNT           the next COUNT builds fail on the host
    delete_delay   COUNT SECONDS
    delete_fail    COUNT

COUNT can be "all". No file: nothing happens. One in a directory that is named with a
project's id is for that project's servers, and goes before the one for all. Removing the
file ends the waits under way: Nova deletes a server only after its build is over, so a
build that is stuck for good could never be cleaned up.
"""
import fcntl
import os
import time

from nova import exception
from nova.virt import fake

KNOBS = os.environ['SIMPLESCALEVM_OPENSTACK_KNOBS']


def path_of(name, instance):
    own = os.path.join(KNOBS, instance.project_id, name)
    return own if os.path.exists(own) else os.path.join(KNOBS, name)


def draw(path):
    """Take one from the knob's count; its other words if there was one, else None."""
    try:
        knob = open(path, 'r+')
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


def wait(path):
    words = draw(path)
    if words is None:
        return
    end = time.monotonic() + float(words[0])
    # eventlet's sleep: the other builds go on.
    while time.monotonic() < end and os.path.exists(path):
        time.sleep(0.2)


class KnobbedFakeDriver(fake.FakeDriver):

    def spawn(self, context, instance, *args, **kwargs):
        wait(path_of('build_delay', instance))
        if draw(path_of('build_fail', instance)) is not None:
            raise exception.InstanceDeployFailure(reason='the knob build_fail says so')
        super().spawn(context, instance, *args, **kwargs)

    def destroy(self, context, instance, *args, **kwargs):
        wait(path_of('delete_delay', instance))
        if draw(path_of('delete_fail', instance)) is not None:
            raise exception.InstanceTerminationFailure(reason='the knob delete_fail says so')
        super().destroy(context, instance, *args, **kwargs)
