"""The families of models, one file and one paper each."""

from keras_vae.models.autoencoder import Autoencoder
from keras_vae.models.encoder_decoder import EncoderDecoderModel
from keras_vae.models.generative_model import GenerativeModel
from keras_vae.models.vae import VAE
