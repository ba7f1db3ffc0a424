"""The exit codes of `keras-vae`, besides 0 (done) and 1 (a fault of the program, a traceback)."""

WRONG = 2  # wrong usage or input, with one line on the standard error
NOT_AS_STATED = 3  # a number differs from its card's, or a file from the index
INTERRUPTED = 130
