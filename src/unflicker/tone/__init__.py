"""tone"""
