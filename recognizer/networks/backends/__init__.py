"""How a network is run: by PyTorch or OpenVINO, in which number format, whichever is quickest on this machine.

``ways`` says what there is to choose from, ``choice`` measures once and remembers, ``openvino`` converts, keeps and
compiles; ``turns`` lets callers of one network take turns, or go through it together; ``cuda`` is what only a GPU
needs. What a network is fed and what its outputs mean is known to ``detection`` and ``classifiers`` alone.
"""
