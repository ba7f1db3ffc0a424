"""Conditions: layers that check and embed the conditions of a conditional model."""

from keras_vae.conditions.array_condition import ArrayCondition
from keras_vae.conditions.code_condition import CodeCondition
from keras_vae.conditions.condition import Condition
from keras_vae.conditions.label_condition import LabelCondition
