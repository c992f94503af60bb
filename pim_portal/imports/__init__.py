"""Bringing in what another installation or the hosted product has handed out."""
