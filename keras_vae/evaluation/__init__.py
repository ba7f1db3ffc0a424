"""Quantities that describe a trained model."""

from keras_vae.batching import map_batches
from keras_vae.evaluation.bits_per_dim import bits_per_dim
from keras_vae.evaluation.clusters import assign_clusters
from keras_vae.evaluation.clusters import cluster_accuracy
from keras_vae.evaluation.codebook_usage import CodeUsage
from keras_vae.evaluation.codebook_usage import codebook_usage
from keras_vae.evaluation.codebook_usage import quantizers_of
from keras_vae.evaluation.disentanglement import DCI
from keras_vae.evaluation.disentanglement import beta_vae_score
from keras_vae.evaluation.disentanglement import dci
from keras_vae.evaluation.disentanglement import factor_vae_score
from keras_vae.evaluation.disentanglement import mutual_information_gap
from keras_vae.evaluation.element_costs import element_costs
from keras_vae.evaluation.frechet_distance import frechet_distance
from keras_vae.evaluation.latent_information import KLSplit
from keras_vae.evaluation.latent_information import TotalCorrelationSplit
from keras_vae.evaluation.latent_information import kl_split
from keras_vae.evaluation.latent_information import mutual_information
from keras_vae.evaluation.latent_information import total_correlation_split
from keras_vae.evaluation.latent_usage import active_units
from keras_vae.evaluation.latent_usage import kl_per_dimension
from keras_vae.evaluation.linear_probe import linear_probe
from keras_vae.evaluation.log_likelihood import log_likelihood
from keras_vae.evaluation.molecules import MoleculeShares
from keras_vae.evaluation.molecules import molecule_shares
