"""Learning to keep a lane: DDPG, TD3 and D4PG online, batch-constrained Q-learning from logs.

Importing the package registers the environments `mhi/Lane-v0` and `mhi/LaneImage-v0` with Gymnasium.
"""

import gymnasium

__version__ = "0.1.0"

for name, view in (("mhi/Lane-v0", "state"), ("mhi/LaneImage-v0", "image")):
    if name not in gymnasium.registry:
        gymnasium.register(name, "mhi_driving.lane:LaneEnv", kwargs={"view": view},
                           vector_entry_point="mhi_driving.lane:LaneVectorEnv")
