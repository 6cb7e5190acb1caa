"""Capabilities behind the verbs `verify` and `doctor`, and the choice by measuring."""
