"""The command line: `keras-vae train | evaluate | sample | reconstruct`, and of presets `list |
info | download | verify | cache | upload`.

Exit codes: 0 done, 1 a fault of the program (with a traceback), 2 wrong usage or input (with one
line on the standard error), 3 not as stated (a number of a card, a file of the index), 130
interrupted.
"""
