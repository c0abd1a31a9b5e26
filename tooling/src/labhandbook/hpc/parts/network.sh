export NCCL_SOCKET_IFNAME={{gpu.network}}
