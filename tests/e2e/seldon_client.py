"""Run by seldon_client_test.py with the Python that has PyPI's seldon-core: the client as its users call it, unchanged.

Usage: seldon_client.py HTTP_ENDPOINT HTTPS_ENDPOINT CA NAME NAMESPACE; prints what came back as JSON.
"""

import json
import sys

import numpy
from seldon_core.seldon_client import SeldonCallCredentials, SeldonChannelCredentials, SeldonClient


def plain(result):
    return {"success": result.success, "msg": result.msg, "response": result.response}


def main():
    http, https, ca, name, namespace = sys.argv[1:]
    rows = numpy.array([[5.1, 3.5, 1.4, 0.2]])
    client = SeldonClient(deployment_name=name, namespace=namespace, gateway="istio", transport="rest", gateway_endpoint=http)
    out = {
        "tensor": plain(client.predict(data=rows)),
        "ndarray": plain(client.predict(data=rows, payload_type="ndarray", names=["sepal_length", "sepal_width", "petal_length", "petal_width"])),
        "unknown": plain(SeldonClient(deployment_name="nobody", namespace=namespace, gateway="istio", transport="rest",
                                      gateway_endpoint=http).predict(data=rows)),
    }
    secure = SeldonClient(deployment_name=name, namespace=namespace, gateway="istio", transport="rest", gateway_endpoint=https,
                          call_credentials=SeldonCallCredentials(token="t"),
                          channel_credentials=SeldonChannelCredentials(certificate_chain_file=ca))
    out["https"] = plain(secure.predict(data=rows))
    print(json.dumps(out))


if __name__ == "__main__":
    main()
