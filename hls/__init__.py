"""Firmware through hls4ml, without any training: conversion, C simulation, estimate, fit and vendor tools."""
