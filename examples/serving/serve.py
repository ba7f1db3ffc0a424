"""Serves an exported model over HTTP, with NumPy and onnxruntime alone: no keras_vae, no Keras.

    # written once, by keras_vae on PyTorch: `model.export("vae.onnx", format="onnx")`
    python examples/serving/serve.py vae.onnx --port 8000
    curl --data-binary @digits.npy http://127.0.0.1:8000 > reconstructions.npy

A request is a `.npy` file of x, or an `.npz` file of a conditional model's `x` and `condition`. The
answer is a `.npy` file of what `model.predict` returns.
"""

import argparse
import http.server
import io

import numpy as np
import onnxruntime

DTYPES = {"tensor(float)": "float32", "tensor(int32)": "int32", "tensor(int64)": "int64"}


def handler(session):
    """Returns the class that answers requests with the outputs of a session of onnxruntime."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            try:
                answer, status = outputs(session, body), 200
            except Exception as error:  # whatever a client may send
                answer, status = f"{type(error).__name__}: {error}\n".encode(), 400
            self.send_response(status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

    return Handler


def outputs(session, body):
    """Returns a `.npy` file of the model's output for a `.npy` or `.npz` file of its inputs."""
    nodes = session.get_inputs()
    given = np.load(io.BytesIO(body), allow_pickle=False)
    given = given if isinstance(given, np.lib.npyio.NpzFile) else {nodes[0].name: given}
    (found,) = session.run(None, {n.name: given[n.name].astype(DTYPES[n.type]) for n in nodes})
    file = io.BytesIO()
    np.save(file, found)
    return file.getvalue()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", help="an .onnx file that `model.export` wrote")
    parser.add_argument("--port", type=int, default=8000)
    arguments = parser.parse_args()
    session = onnxruntime.InferenceSession(arguments.model)
    with http.server.ThreadingHTTPServer(("127.0.0.1", arguments.port), handler(session)) as server:
        print(f"serving {arguments.model} at http://127.0.0.1:{server.server_port}", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()
