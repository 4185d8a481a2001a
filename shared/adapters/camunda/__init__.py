"""The target `camunda`: a Camunda 8 cluster through its REST API `/v2`."""
