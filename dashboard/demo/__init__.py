"""The demo: a local DynamoDB (`service.py`) and a shop that keeps writing into it (`shop.py`)."""
