# gunicorn looks for `app` here.
import predictor

app = predictor.app
