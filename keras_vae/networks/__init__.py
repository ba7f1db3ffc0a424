"""Encoders and decoders."""

from keras_vae.networks.autoencoder_kl import AutoencoderKLDecoder
from keras_vae.networks.autoencoder_kl import AutoencoderKLEncoder
from keras_vae.networks.completion import CompletionDecoder
from keras_vae.networks.completion import CompletionNetwork
from keras_vae.networks.conv import ConvDecoder
from keras_vae.networks.conv import ConvEncoder
from keras_vae.networks.ladder import LadderDecoder
from keras_vae.networks.ladder import LadderEncoder
from keras_vae.networks.maps import ConvMapDecoder
from keras_vae.networks.maps import ConvMapEncoder
from keras_vae.networks.maps import ResNetMapDecoder
from keras_vae.networks.maps import ResNetMapEncoder
from keras_vae.networks.mlp import MLPDecoder
from keras_vae.networks.mlp import MLPEncoder
from keras_vae.networks.patch_discriminator import PatchDiscriminator
from keras_vae.networks.resnet import ResNetDecoder
from keras_vae.networks.resnet import ResNetEncoder
from keras_vae.networks.tiny_autoencoder import TinyDecoder
from keras_vae.networks.tiny_autoencoder import TinyEncoder
from keras_vae.networks.vq_model import VQModelDecoder
from keras_vae.networks.vq_model import VQModelEncoder
