"""Fine light: flicker of places that are too small for tone, filtered along the motion."""

from unflicker.fine_light.changes import cells_of as cells_of
from unflicker.fine_light.filtering import FineLight as FineLight
from unflicker.fine_light.filtering import KnownFlicker as KnownFlicker
from unflicker.fine_light.filtering import fine_light as fine_light
from unflicker.fine_light.shared import smoothstep as smoothstep
