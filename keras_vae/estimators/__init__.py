"""scikit-learn estimators: outlier detection, embedding, imputation, synthetic tables."""

from keras_vae.estimators.embedding import Embedding
from keras_vae.estimators.imputer import Imputer
from keras_vae.estimators.outlier_detector import OutlierDetector
from keras_vae.estimators.table_synthesizer import TableSynthesizer
