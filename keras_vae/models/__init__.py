"""The families of models, one file and one paper each."""

from keras_vae.models.aae import AAE
from keras_vae.models.autoencoder import Autoencoder
from keras_vae.models.base.autoregressive_model import AutoregressiveModel
from keras_vae.models.base.encoder_decoder import EncoderDecoderModel
from keras_vae.models.base.generative_model import GenerativeModel
from keras_vae.models.base.latent_variable_model import LatentVariableModel
from keras_vae.models.base.quantized_model import QuantizedModel
from keras_vae.models.base.term import Term
from keras_vae.models.beta_tc_vae import BetaTCVAE
from keras_vae.models.cvae import CVAE
from keras_vae.models.dip_vae import DIPVAE
from keras_vae.models.factor_vae import FactorVAE
from keras_vae.models.gumbel_vae import GumbelVAE
from keras_vae.models.gumbel_vae import StraightThroughGumbelVAE
from keras_vae.models.hierarchical_vae import HierarchicalVAE
from keras_vae.models.info_vae import InfoVAE
from keras_vae.models.iwae import IWAE
from keras_vae.models.iwae import DReGIWAE
from keras_vae.models.ladder_vae import LadderVAE
from keras_vae.models.pixel_cnn import PixelCNN
from keras_vae.models.predictor import Predictor
from keras_vae.models.saving.from_preset import from_preset
from keras_vae.models.transformer_prior import TransformerPrior
from keras_vae.models.vae import VAE
from keras_vae.models.vq_vae import VQVAE
from keras_vae.models.vq_vae_2 import VQVAE2
