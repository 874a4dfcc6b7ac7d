"""Captions of a scene between two characters, held against the field rules of a model card, in English and Chinese.

| code | level | trips on |
|---|---|---|
| `empty` | error | no letter and no digit |
| `too_long` | error | more than 5,000 characters, beyond what LTX-2.3 reads; not looked at further |
| `quoted_dialogue` | fixed, or error | anything in quotation marks; told indirectly where a rule can, else an error |
| `dark_clothing` | fixed, or warning | a dark colour that is not in capitals and glued to every garment it is said of |
| `object_detaches` | error | a hat that flies off, a cup that is dropped while somebody runs |
| `object_put_away` | warning | somebody takes off, drops or throws away a thing, at rest |
| `characters` | warning | fewer than two characters, or one that is not described |
| `sides` | warning | left or right is not named |
| `shot_size` | warning | no close-up, medium shot, wide shot ... |
| `camera` | warning | nothing says what the camera does, or where it is |

`fixed` mends what has the level `fixed`. A caption with an error must not be trained on. The last four ask for what a whole
prompt needs, and a part of one lacks. Everything is found by lists of words, and can be wrong.
"""

from curate.lint.fault import Fault, Level
from curate.lint.rules import fixed, lint

__all__ = ["Fault", "Level", "fixed", "lint"]
