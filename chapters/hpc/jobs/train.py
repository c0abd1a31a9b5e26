"""A program to try a GPU script with: a small network learns to add, on the GPU if there is one."""

import time

import torch

device = "cuda" if torch.cuda.is_available() else "cpu"
model = torch.nn.Sequential(torch.nn.Linear(8, 64), torch.nn.ReLU(), torch.nn.Linear(64, 1)).to(device)
optimiser = torch.optim.Adam(model.parameters(), lr=0.01)
start = time.perf_counter()
for step in range(501):
    numbers = torch.rand(256, 8, device=device)
    loss = ((model(numbers) - numbers.sum(1, keepdim=True)) ** 2).mean()
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
    if step % 100 == 0:
        print(f"step {step}  loss {loss.item():.4f}", flush=True)
name = torch.cuda.get_device_name() if device == "cuda" else "the CPU"
print(f"{500 / (time.perf_counter() - start):.0f} steps a second on {name}")
