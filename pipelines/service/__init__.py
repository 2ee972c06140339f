"""Batches made on other machines, by TensorFlow's tf.data service, and put in the order in which this one would read.

From outside come `address` (what names a service), `server` (a dispatcher and its data workers), `client.Service` (the
data sets that they make), and `in_order`, which knows nothing of TensorFlow.
"""
