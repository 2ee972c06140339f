"""Installs visionmtl and pipelines; pyproject.toml says what they are and what earns each dependency its place."""

from setuptools import setup

setup()
