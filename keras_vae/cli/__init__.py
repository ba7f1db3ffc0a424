"""The command line: `keras-vae train | evaluate | sample | reconstruct | interpolate | plot |
explore`, and for presets `list | info | download | verify | cache | upload`.

A command's options, help and examples stand above the function that does it; `program` puts the
commands together. These modules are imported before Keras is (see `keras_vae_cli`): at their top
they import only what does without it, and what needs it inside the commands.

Exit codes: 0 done, 1 a fault of the program (with a traceback), 2 wrong usage or input (with one
line on the standard error), 3 not as stated (a number of a card, a file of the index), 130
interrupted.
"""
