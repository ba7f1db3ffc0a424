"""Quantizers turn an encoder's output into discrete codes and back; updates move the codes."""

from keras_vae.quantizers.codebook_updates import CodebookUpdate
from keras_vae.quantizers.codebook_updates import DeadCodeRevival
from keras_vae.quantizers.codebook_updates import EMAUpdate
from keras_vae.quantizers.codebook_updates import GradientUpdate
from keras_vae.quantizers.entropy_constrained_quantizer import EntropyConstrainedVectorQuantizer
from keras_vae.quantizers.finite_scalar_quantizer import FiniteScalarQuantizer
from keras_vae.quantizers.gradient_estimators import GradientEstimator
from keras_vae.quantizers.gradient_estimators import RotationTrick
from keras_vae.quantizers.gradient_estimators import StraightThrough
from keras_vae.quantizers.grouped_quantizer import GroupedQuantizer
from keras_vae.quantizers.gumbel_quantizer import GumbelQuantizer
from keras_vae.quantizers.lookup_free_quantizer import LookupFreeQuantizer
from keras_vae.quantizers.quantizer import Quantized
from keras_vae.quantizers.quantizer import Quantizer
from keras_vae.quantizers.residual_quantizer import ResidualQuantizer
from keras_vae.quantizers.sim_vq import SimVQ
from keras_vae.quantizers.vector_quantizer import CosineVectorQuantizer
from keras_vae.quantizers.vector_quantizer import VectorQuantizer
