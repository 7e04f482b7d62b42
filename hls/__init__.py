"""Firmware through hls4ml: conversion, C simulation, estimate, fit and vendor tools. Knows no training."""
