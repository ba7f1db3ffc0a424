"""Loads every folder named in a LIST and writes what happened to a REPORT.

LIST is JSON, `{case: folder}` with the sound preset as "sound". REPORT is `{case: record}`: the
error, seconds of work, bytes of memory at the peak above those before, and forbidden events, which
are files opened to be written, sockets, processes, and objects of pickles.
"""

import json
import os
import resource
import signal
import sys
import tempfile
import time
from pathlib import Path

import keras

import keras_vae

FORBIDDEN = (
    "ctypes.dlopen",
    "ftplib",
    "http",
    "os.chmod",
    "os.exec",
    "os.fork",
    "os.forkpty",
    "os.link",
    "os.mkdir",
    "os.posix_spawn",
    "os.remove",
    "os.rename",
    "os.rmdir",
    "os.startfile",
    "os.symlink",
    "os.system",
    "os.truncate",
    "pickle.find_class",
    "shutil",
    "socket",
    "subprocess.Popen",
    "tempfile",
    "urllib",
    "webbrowser",
)
PATIENCE = 30  # seconds
GUARD = 2**32  # further bytes after which the system stops this process, not its neighbours


class OutOfTime(BaseException):
    """Raised in the middle of a case that takes too long."""


def out_of_time(*args):
    raise OutOfTime


def watch(events):
    """Appends every forbidden event of this process to a list, from now on."""
    writing = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND

    def hook(event, arguments):
        is_written = event == "open" and isinstance(arguments[2], int) and arguments[2] & writing
        if is_written or event.startswith(FORBIDDEN):
            events.append(f"{event} {arguments!r}"[:300])

    sys.addaudithook(hook)


def memory(key):
    """Returns a number of bytes from what Linux says of this process."""
    line = next(x for x in Path("/proc/self/status").read_text().splitlines() if x.startswith(key))
    return 1024 * int(line.split()[1])


def reset_peak():
    descriptor = os.open("/proc/self/clear_refs", os.O_WRONLY)
    os.write(descriptor, b"5")
    os.close(descriptor)


def load(folder, events):
    reset_peak()
    del events[:]
    before, start, error = memory("VmRSS"), time.process_time(), None
    unlimited = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (memory("VmSize") + GUARD, unlimited[1]))
    signal.alarm(PATIENCE)
    try:
        keras_vae.GenerativeModel.from_preset(folder)
    except (Exception, OutOfTime) as caught:
        error = caught
    finally:
        signal.alarm(0)
        resource.setrlimit(resource.RLIMIT_AS, unlimited)
    return {
        "error": type(error).__name__,
        "message": str(error),
        "cause": type(error and error.__cause__).__name__,
        "seconds": time.process_time() - start,
        "bytes": memory("VmHWM") - before,
        "events": list(events),
    }


def main(list_file, report):
    folders = json.loads(Path(list_file).read_text())
    for _ in range(3):  # what is imported and allocated at first use is no fault of a case
        keras_vae.GenerativeModel.from_preset(folders["sound"])
    # At the first recurrent layer Keras imports TensorFlow where it is installed, 430 MB, once.
    keras.layers.Bidirectional(keras.layers.GRU(2, unroll=True))(keras.Input((3, 3)))
    tempfile.gettempdir()  # which it finds by writing, once
    signal.signal(signal.SIGALRM, out_of_time)
    events = []
    watch(events)
    records = {}
    for name, folder in folders.items():
        records[name] = load(folder, events)
    Path(report).write_text(json.dumps(records))


if __name__ == "__main__":
    main(*sys.argv[1:])
