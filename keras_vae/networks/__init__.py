"""Encoders and decoders."""

from keras_vae.networks.conv import ConvDecoder as ConvDecoder
from keras_vae.networks.conv import ConvEncoder as ConvEncoder
from keras_vae.networks.mlp import MLPDecoder as MLPDecoder
from keras_vae.networks.mlp import MLPEncoder as MLPEncoder
from keras_vae.networks.resnet import ResNetDecoder as ResNetDecoder
from keras_vae.networks.resnet import ResNetEncoder as ResNetEncoder
