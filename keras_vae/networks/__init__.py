"""Encoders and decoders."""

from keras_vae.networks.conv import ConvDecoder
from keras_vae.networks.conv import ConvEncoder
from keras_vae.networks.mlp import MLPDecoder
from keras_vae.networks.mlp import MLPEncoder
from keras_vae.networks.resnet import ResNetDecoder
from keras_vae.networks.resnet import ResNetEncoder
