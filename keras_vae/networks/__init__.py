"""Encoders and decoders."""

from keras_vae.networks.completion import CompletionDecoder
from keras_vae.networks.completion import CompletionNetwork
from keras_vae.networks.conv import ConvDecoder
from keras_vae.networks.conv import ConvEncoder
from keras_vae.networks.exposure import ExposureDecoder
from keras_vae.networks.ladder import LadderDecoder
from keras_vae.networks.ladder import LadderEncoder
from keras_vae.networks.maps import ConvMapDecoder
from keras_vae.networks.maps import ConvMapEncoder
from keras_vae.networks.maps import ResNetMapDecoder
from keras_vae.networks.maps import ResNetMapEncoder
from keras_vae.networks.mlp import MLPDecoder
from keras_vae.networks.mlp import MLPEncoder
from keras_vae.networks.patch_discriminator import PatchDiscriminator
from keras_vae.networks.recurrent import RecurrentTokenDecoder
from keras_vae.networks.recurrent import RecurrentTokenEncoder
from keras_vae.networks.resnet import ResNetDecoder
from keras_vae.networks.resnet import ResNetEncoder
from keras_vae.networks.series import ConvSeriesDecoder
from keras_vae.networks.series import ConvSeriesEncoder
from keras_vae.networks.series import RecurrentSeriesDecoder
from keras_vae.networks.series import RecurrentSeriesEncoder
from keras_vae.networks.table import TableDecoder
from keras_vae.networks.table import TableEncoder
from keras_vae.networks.token_transformer import TransformerTokenDecoder
from keras_vae.networks.token_transformer import TransformerTokenEncoder
