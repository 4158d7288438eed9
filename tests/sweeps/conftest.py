from tests.pictures import blank_pictures, pictures

__all__ = ["blank_pictures", "pictures"]
