"""Lossless files as small as the bound of a model, and codes of its latents.

A model with a bound on log p(x) says how many bits x takes. This room writes them: `compress` gives
the bytes of a file, and `decompress` x, bit for bit, on whatever backend, with any number of
threads and any batch size.

A model of pixels or codes one after the other is coded directly: its probabilities are those of the
file. A VAE is coded by bits-back: z is drawn with bits of the file as its noise, x is coded with
p(x|z), and z with p(z); the reader, once it knows x, gets the bits of the draw back from q(z|x). On
average a file takes -log p(x|z) - log p(z) + log q(z|x), minus the bound. Of a model of codes the
codes are coded, with their prior; x then comes back as the decoder shows it, and not bit for bit.

Why a file is read elsewhere. An entropy coder needs the same probabilities to the last bit on both
sides, and networks do not give them: the order of additions in float32 differs between backends,
numbers of threads and sizes of batches. Between a network and the coder there are three steps:

1. Every output is rounded to a cell, by comparing it with edges (`binary`, `logistic`, `lattice`).
   Before the file is written, the grid of cells is moved until no output of a block lies within a
   margin of an edge (`offsets`); which move it was is a part of the file. The margin is ten
   times the largest difference between backends that is to be expected: rounding errors move the
   outputs of the model at hand by so much, each dimension of its latents by its own amount, and
   differences were measured to be at most so many times as large, on presets
   (`rounding_errors`). So the reader, whose outputs differ by less, finds each in the same cell.
2. The numbers of a cell make integer frequencies. They come from + - x / and comparisons, whose
   results IEEE 754 fixes, and from tables made so (`exact_tables`): no exponential, logarithm or
   quantile of a library, which may differ in the last bit, is involved.
3. The coder (`stack`) computes with integers.

What enters a network is exact too: x itself, codes, and z on a lattice of dyadic fractions, which
float32 holds. If all the same a reader's outputs differ by more, as on a GPU that rounds factors to
TF32, the checksum of the content does not fit and an error is raised: never wrong data.

References:
    - [Townsend et al., 2019](https://arxiv.org/abs/1901.04866), bits-back with asymmetric numerals
    - [Kingma et al., 2019](https://arxiv.org/abs/1905.06845), several levels of latents
"""

from keras_vae.codecs.codec import compress
from keras_vae.codecs.codec import decompress
from keras_vae.codecs.file_format import FileInfo
from keras_vae.codecs.file_format import read_info
