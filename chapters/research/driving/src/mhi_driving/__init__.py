"""A lane-keeping world and the methods that learn to drive in it, from interaction and from logged data.

Importing the package registers `mhi/Lane-v0`, `mhi/LaneImage-v0` and `mhi/CarRacing-v0` with Gymnasium. The last
needs the extra `carracing`.
"""

import gymnasium

for name, view in (("mhi/Lane-v0", "state"), ("mhi/LaneImage-v0", "image")):
    if name not in gymnasium.registry:
        gymnasium.register(name, "mhi_driving.lane:LaneEnv", kwargs={"view": view},
                           vector_entry_point="mhi_driving.lane:LaneVectorEnv")
if "mhi/CarRacing-v0" not in gymnasium.registry:
    gymnasium.register("mhi/CarRacing-v0", "mhi_driving.carracing:Racing")
