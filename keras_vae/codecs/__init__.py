"""Lossless compression of data to the size of a model's bound, and coding of its latents.

A model with a bound on log p(x) determines how many bits x takes. This package writes them:
`compress` returns the bytes of a file, and `decompress` restores x, bit for bit, on any backend,
with any number of threads and any batch size.

An autoregressive model of pixels or codes is coded directly, with its own probabilities. A VAE is
coded by bits-back coding: z is drawn with bits of the file as its noise, x is coded with p(x|z),
and z with p(z); once the reader knows x, it recovers the bits of the draw from q(z|x). On average a
file takes -log p(x|z) - log p(z) + log q(z|x), which is minus the bound. For a model of codes, the
codes are coded with their prior; x is then restored as the decoder's output, not bit for bit.

Portability. An entropy coder needs exactly the same probabilities on both sides, and networks do
not provide them: the order of float32 additions differs between backends, numbers of threads and
batch sizes. Between a network and the coder there are three steps:

1. Every output is rounded to a cell by comparing it with edges (`binary`, `logistic`, `lattice`).
   Before the file is written, the grid of cells is shifted until no output of a block lies within a
   margin of an edge (`offsets`); the file records the shift. The margin is ten times the largest
   expected difference between backends. That is the size of rounding errors in this model's
   outputs, separately for each dimension of its latents, times the largest ratio of differences to
   rounding errors that was measured on presets (`rounding_errors`). The reader's outputs differ by
   less, so it finds each in the same cell.
2. The numbers of a cell determine integer frequencies. These are computed with + - x / and
   comparisons, whose results IEEE 754 specifies, and from tables made in the same way
   (`exact_tables`). No exponential, logarithm or quantile of a library, which may differ in the
   last bit, is involved.
3. The coder (`stack`) computes with integers.

The inputs of networks are exact too: x itself, codes, and z on a lattice of dyadic fractions, which
float32 represents exactly. If a reader's outputs still differ by more, for example on a GPU that
rounds factors to TF32, the checksum of the content does not match, and an error is raised instead
of returning wrong data.

References:
    - [Townsend et al., 2019](https://arxiv.org/abs/1901.04866), bits-back with asymmetric numerals
    - [Kingma et al., 2019](https://arxiv.org/abs/1905.06845), several levels of latents
"""

from keras_vae.codecs.codec import compress
from keras_vae.codecs.codec import decompress
from keras_vae.codecs.file_format import FileInfo
from keras_vae.codecs.file_format import read_info
