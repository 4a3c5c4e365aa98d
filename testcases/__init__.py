"""The bundled test cases, a folder each."""
