"""Layers of networks and priors."""

from keras_vae.layers.causal_attention import CausalAttention
from keras_vae.layers.column_features import ColumnFeatures
from keras_vae.layers.gated_convolution import GatedConvolution
from keras_vae.layers.last_token import LastToken
from keras_vae.layers.log_offset import LogOffset
from keras_vae.layers.map_attention import MapAttention
from keras_vae.layers.observed_values import ObservedValues
from keras_vae.layers.output_bias import OutputBias
from keras_vae.layers.positions import LearnedPositions
from keras_vae.layers.positions import Positions
from keras_vae.layers.positions import RotaryPositions
from keras_vae.layers.residual import ResidualBlock
from keras_vae.layers.seen_pixels import SeenPixels
from keras_vae.layers.subpixel import SubpixelUpsampling2D
from keras_vae.layers.token_vectors import TokenVectors
from keras_vae.layers.transformer_block import TransformerBlock
