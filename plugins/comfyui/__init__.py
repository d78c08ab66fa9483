"""Nodes of unflicker for ComfyUI; they are in the package, which `requirements.txt` installs."""

from unflicker.plugins.comfyui import comfy_entrypoint

__all__ = ["comfy_entrypoint"]
