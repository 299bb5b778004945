"""Run a network with PyTorch or OpenVINO, in the number format that is fastest on this machine.

``ways`` lists the options; ``autotune`` measures them once and picks the fastest; ``choice_store`` stores the choice.
``pytorch`` and ``openvino`` run a network (``runner`` is their interface), ``batching`` lets several callers share one,
and ``cuda`` holds the parts that only a GPU needs. ``detector`` and ``classifiers`` prepare inputs and read outputs.
"""
