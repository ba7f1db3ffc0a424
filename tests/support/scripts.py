"""Runs scripts as the main program of a process of their own.

`PROCESSES` starts processes as forks of one that has imported the library, which takes longer than
what most of them do.
"""

import contextlib
import multiprocessing
import runpy
import sys
import traceback

TIMEOUT = 600  # seconds

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["keras_vae"])


def run_script(path, *arguments, folder, output):
    """Runs `python path *arguments` in a folder; fails the test if it fails.

    Args:
        path: the script.
        arguments: its command line, turned into strings.
        folder: the working directory.
        output: path of a file that receives what it prints.
    """
    process = PROCESSES.Process(target=_as_main, args=(path, arguments, folder, output))
    process.start()
    process.join(TIMEOUT)
    if process.exitcode is None:
        process.kill()
    assert process.exitcode == 0, f"exit status {process.exitcode}: {output.read_text()[-2000:]}"


def _as_main(path, arguments, folder, output):
    sys.argv = [str(path), *map(str, arguments)]
    sys.path[0] = str(path.parent)
    with (
        output.open("w", buffering=1) as file,
        contextlib.chdir(folder),
        contextlib.redirect_stdout(file),
        contextlib.redirect_stderr(file),
    ):
        try:
            runpy.run_path(str(path), run_name="__main__")
        except Exception:
            traceback.print_exc()
            sys.exit(1)
